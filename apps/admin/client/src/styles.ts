import '@mantine/core/styles.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/page.css';
import './styles/table.css';
import './styles/timeline.css';
import './styles/text.css';
import './styles/small-screens.css';
