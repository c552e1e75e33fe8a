/** One setting: a top-level key of a settings or workflow file. */
export interface ConfigEntry {
  /** `setting.<key>` or `workflow.<key>`; what follows the first dot is the file's own key. */
  readonly key: string;
  /** The value as JSON text: the source's own spelling where the source is JSON (so big numbers survive). */
  readonly valueJson: string;
  /** Time of the file it came from; UTC, fixed width, see `parseTime`. */
  readonly updatedAt: string;
}
