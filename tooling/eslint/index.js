import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import jest from 'eslint-plugin-jest';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Bans whose breach has cost users of similar projects their data; the message says what to do instead. */
const dataSafety = [
  {
    selector: "CallExpression[callee.property.name='query'] > TemplateLiteral[expressions.length>0]",
    message: 'Bind parameters; never build SQL from a template.',
  },
  {
    selector: 'Literal[value=/INSERT\\s+OR\\s+(IGNORE|REPLACE)/i]',
    message: 'A conflict is an error, not something to hide: use ON CONFLICT with an explicit column list.',
  },
  {
    selector: 'TemplateElement[value.raw=/INSERT\\s+OR\\s+(IGNORE|REPLACE)/i]',
    message: 'A conflict is an error, not something to hide: use ON CONFLICT with an explicit column list.',
  },
  {
    selector: 'Literal[value=/^\\s*BEGIN\\s*;?\\s*$/i]',
    message: 'A write begins with BEGIN IMMEDIATE; a held read lock says BEGIN DEFERRED.',
  },
  {
    selector: 'Literal[value=/\\bATTACH\\b/i]',
    message: 'ATTACH creates files anywhere; open the database on its own.',
  },
  {
    selector: 'TemplateElement[value.raw=/\\bATTACH\\b/i]',
    message: 'ATTACH creates files anywhere; open the database on its own.',
  },
  {
    selector: 'Literal[value=/VACUUM\\s+INTO\\s+[^?]/i]',
    message: 'Bind the path of VACUUM INTO: VACUUM INTO ?.',
  },
  {
    selector: 'TemplateElement[value.raw=/VACUUM\\s+INTO/i]',
    message: 'Bind the path of VACUUM INTO: VACUUM INTO ?.',
  },
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
];

/** The rules of every package; `options.environment` lists the files that may read process.env. */
export function config({ environment = [] } = {}) {
  return tseslint.config(
    { ignores: ['dist/**', 'node_modules/**', '*.cjs', '*.config.js', 'bin/**'] },
    js.configs.recommended,
    ...tseslint.configs.recommendedTypeChecked,
    {
      languageOptions: {
        globals: globals.node,
        // The tests' project holds the sources too: asked first, it is the only one that is loaded.
        parserOptions: { project: ['test/tsconfig.json', 'tsconfig.json'] },
      },
      rules: {
        '@typescript-eslint/no-floating-promises': 'error',
        '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
        '@typescript-eslint/require-await': 'off',
        'max-lines': ['error', { max: 400 }],
        'max-lines-per-function': ['error', { max: 60 }],
        'max-params': ['error', 3],
        'max-depth': ['error', 3],
        'no-restricted-syntax': ['error', ...dataSafety],
        'no-restricted-properties': [
          'error',
          { object: 'process', property: 'env', message: 'Read the environment in settings.ts only.' },
        ],
      },
    },
    ...environment.map((file) => ({ files: [file], rules: { 'no-restricted-properties': 'off' } })),
    {
      files: ['test/**/*.ts'],
      ...jest.configs['flat/recommended'],
      rules: {
        ...jest.configs['flat/recommended'].rules,
        'jest/expect-expect': [
          'error',
          { assertFunctionNames: ['expect*', '**.expect*', 'fc.assert', '**.expectFinding*'] },
        ],
        'jest/no-standalone-expect': 'off',
        'max-lines-per-function': 'off',
        'no-restricted-properties': 'off',
        'no-restricted-syntax': 'off',
        '@typescript-eslint/no-unsafe-assignment': 'off',
        '@typescript-eslint/no-unsafe-member-access': 'off',
        '@typescript-eslint/no-unsafe-call': 'off',
        '@typescript-eslint/no-unsafe-argument': 'off',
        '@typescript-eslint/no-unsafe-return': 'off',
      },
    },
    prettier,
  );
}
