import { config } from '@deespec/eslint';

/** The repository's rules with the client's one TypeScript project. */
export default [
  ...config(),
  {
    languageOptions: {
      parserOptions: { project: ['tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
  },
  { ignores: ['vite.config.ts', 'src/api/schema.ts'] },
];
