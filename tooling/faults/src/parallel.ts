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

const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/**
 * At most `most` items, spread evenly, from two on always with the first and the last; another seed moves those between, or the
 * only one.
 */
export function sample<T>(items: readonly T[], most: number, seed = 1): readonly T[] {
  if (items.length <= most) return items;
  if (most === 1) return [items[Math.floor(((seed * GOLDEN_RATIO) % 1) * items.length)]!];
  const last = items.length - 1;
  const step = last / Math.max(1, most - 1);
  const shift = (((seed - 1) * GOLDEN_RATIO) % 1) * step;
  return Array.from({ length: most }, (_, i) => {
    const isEnd = i === 0 || i === most - 1;
    return items[isEnd ? Math.round(i * step) : Math.min(last - 1, Math.round(i * step + shift))]!;
  });
}

/** The same items in an order whose every beginning is spread over the whole: for a search that ends at the first find. */
export function spread<T>(items: readonly T[]): readonly T[] {
  const keyed = items.map((item, i) => ({ item, key: (i * GOLDEN_RATIO) % 1 }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
