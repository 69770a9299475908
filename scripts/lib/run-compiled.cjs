/** For `node --require`: a TypeScript file of this checkout is run as compile-tests.mjs has compiled it. */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join, relative, resolve } = require('node:path');

const ROOT = resolve(__dirname, '..', '..');
const COMPILED = process.env.COMPILED_TESTS;
process.setSourceMapsEnabled(true);

Module._extensions['.ts'] = (module, path) => {
  const compiled = join(COMPILED, relative(ROOT, path).replace(/\.ts$/, '.js'));
  module._compile(readFileSync(compiled, 'utf8'), path);
};
