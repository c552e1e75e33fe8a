/** Runs `work` on each item, `workers` at a time, in order of starting. The worker's number tells which slot it has. */
export async function eachInParallel<T>(
  items: readonly T[],
  workers: number,
  work: (item: T, worker: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const run = async (worker: number): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) await work(items[at]!, worker);
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, (_, worker) => run(worker)));
}

/** Every n-th item so that at most `most` are left, spread evenly; always with the first and the last. */
export function sample<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from(
    { length: most },
    (_, i) => items[Math.round((i * (items.length - 1)) / Math.max(1, most - 1))]!,
  );
}
