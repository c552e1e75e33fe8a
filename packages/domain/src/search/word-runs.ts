/** Data of `word-table.ts`. */
export const wordRuns = { words: '0.0', folded: '0.0', marks: '0.0' };
