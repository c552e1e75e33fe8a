/** Data of `word-table.ts`. */
export const wordRuns = '0.0';
export const foldedRuns = '0.0';
export const markRuns = '0.0';
