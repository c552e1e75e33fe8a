import { config } from '@deespec/eslint';

/** The repository's rules for tests. These tests lie beside the client, because they are of the whole app. */
export default config()
  .map((part) =>
    part.files?.includes('test/**/*.ts') === true
      ? { ...part, files: ['**/*.test.ts', '**/*.walk.ts', 'support/**/*.ts'] }
      : part,
  )
  .concat({
    languageOptions: { parserOptions: { project: ['tsconfig.json'], tsconfigRootDir: import.meta.dirname } },
  });
