export { checkCommands, checkLinks, checkReferences, checkTable, tableRows } from './document-rules.js';
export { checkImports } from './import-rules.js';
export { layerTable, technologyHomes } from './layer-table.js';
export type { Layer } from './layer-table.js';
export { checkDependencies, checkManifests, dependencyClosure } from './manifest-rules.js';
export { checkTexts, listTracked } from './repository-rules.js';
export { checkPackagePipelines, checkWorkflows, unpinnedActions } from './workflow-rules.js';
export { listPackages } from './workspace.js';
export type { Manifest, Violation, WorkspacePackage } from './workspace.js';
