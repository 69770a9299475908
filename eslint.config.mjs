import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';
import { MAY_USE, PLAYER_MAY_USE } from './scripts/lib/rooms.mjs';

const ROOMS = Object.keys(MAY_USE);

const oneDirection = ROOMS.map((room) => {
  const allowed = MAY_USE[room];
  const banned = ROOMS.filter((other) => other !== room && !allowed.includes(other));
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['**/nodes/**'], message: 'src never imports from nodes.' },
            ...banned.map((other) => ({
              group: [`../${other}/*`, `../../${other}/*`],
              message: `src/${room} may only use: ${allowed.join(', ') || 'nothing else'}.`,
            })),
          ],
        },
      ],
    },
  };
});

/** The player runs in browsers: of src/ it takes only what runs there, too. */
const playerRooms = {
  files: ['player/**/*.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { group: ['**/nodes/**', 'node:*'], message: 'The player runs in browsers.' },
          ...ROOMS.filter((room) => !PLAYER_MAY_USE.includes(room)).map((room) => ({
            group: [`../src/${room}/*`],
            message: `player may only use: ${PLAYER_MAY_USE.join(', ')}.`,
          })),
        ],
      },
    ],
  },
};

export default tseslint.config(
  {
    ignores: ['dist/', 'resources/', 'node_modules/', '.tmp/', 'coverage/', '**/*.as.ts'],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  {
    // node:test's test() and describe() return promises that the runner awaits by itself.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  ...oneDirection,
  playerRooms,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { process: 'readonly', __dirname: 'readonly' },
    },
  },
);
