/** Steps that failed today. */
export function FailuresPanel() {
  return null;
}
