import tseslint from 'typescript-eslint';

const testFiles = ['**/*.test.ts', 'test/**', 'demo/**'];

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', 'test/results/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    // The statistics are pure: the same code runs in the agent and in the browser.
    files: ['verdict/src/**/*.ts'],
    ignores: testFiles,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^[^.]', message: 'verdict/src imports nothing.' }] },
      ],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'performance', 'Date'],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random' }],
    },
  },
);
