import { Link } from '@tanstack/react-router';
import { Page } from '../components/page.js';
import { Empty } from '../components/states.js';

/** An address that no page has. */
export function NotFound() {
  return (
    <Page title="No such page">
      <Empty title="This address leads nowhere">
        Go to the <Link to="/">overview</Link>, or press Ctrl + K and type where you want to go.
      </Empty>
    </Page>
  );
}
