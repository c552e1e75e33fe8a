import { config } from '@deespec/eslint';

export default config();
