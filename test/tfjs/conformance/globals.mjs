// Jasmine's describe, it and expect as globals, before the suite's files are run.
import jasmineRequire from 'jasmine-core/lib/jasmine-core/jasmine.js';

export const jasmine = jasmineRequire.core(jasmineRequire);
export const jasmineEnv = jasmine.getEnv({ suppressLoadErrors: true });
Object.assign(globalThis, jasmineRequire.interface(jasmine, jasmineEnv), { jasmine });
jasmine.DEFAULT_TIMEOUT_INTERVAL = 20_000;
