export { renderDemo } from './render.js';
export { findFailures, runDemo } from './run-demo.js';
export type { DemoOptions, DemoResult } from './run-demo.js';
