export { openApiDocument } from './openapi.js';
export { startAdmin } from './server.js';
export type { Admin, AdminOptions } from './server.js';
