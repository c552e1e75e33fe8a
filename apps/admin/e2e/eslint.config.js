import { config } from '@deespec/eslint';
import jest from 'eslint-plugin-jest';

/** The repository's rules for tests; these ones lie beside the sources and not in test/. */
export default config();
