import { config } from '@deespec/eslint';

// `client` and `e2e` have projects and configurations of their own; the program that writes the contract has none.
export default config().concat(
  { languageOptions: { parserOptions: { tsconfigRootDir: import.meta.dirname } } },
  { ignores: ['write-openapi.mjs'] },
);
