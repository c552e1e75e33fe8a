import { config } from '@deespec/eslint';

export default config({ environment: ['src/settings.ts'] });
