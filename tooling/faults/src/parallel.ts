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

/** The same items in an order whose every beginning is spread over the whole: for a search that ends at the first find. */
export function spread<T>(items: readonly T[]): readonly T[] {
  const goldenRatio = (Math.sqrt(5) - 1) / 2;
  const keyed = items.map((item, i) => ({ item, key: (i * goldenRatio) % 1 }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
