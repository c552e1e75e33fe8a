interface Node {
  type: string;
  tagName?: string;
  value?: string;
  properties?: Record<string, unknown>;
  children?: Node[];
}

/** Ids of headings begin with this, so that no text can take the name of an element of ours. */
export const headingPrefix = 'text-';

function wordsOf(node: Node): string {
  return node.value ?? (node.children ?? []).map(wordsOf).join('');
}

/** `Review notes: part 2` is `review-notes-part-2`. */
export function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/gu, '');
  return slug.slice(0, 80);
}

/**
 * A plugin for rehype: gives every heading an id made of its words, the second of the same words with `-2`, and the level that
 * it has when none is left out: readers of a screen jump by levels, and texts of agents skip them.
 */
export function headingIds() {
  return (tree: Node) => {
    const seen = new Map<string, number>();
    let level = 0;
    const pending: Node[] = [tree];
    for (let node = pending.shift(); node !== undefined; node = pending.shift()) {
      if (!/^h[1-6]$/u.test(node.tagName ?? '')) {
        pending.unshift(...(node.children ?? []));
        continue;
      }
      level = Math.min(level + 1, Number(node.tagName?.slice(1)));
      nameHeading(node, seen);
      node.properties = { ...node.properties, dataLevel: level };
    }
  };
}

function nameHeading(node: Node, seen: Map<string, number>): void {
  const slug = slugOf(wordsOf(node)) || 'heading';
  const count = (seen.get(slug) ?? 0) + 1;
  seen.set(slug, count);
  const id = count === 1 ? slug : `${slug}-${count}`;
  node.properties = { ...node.properties, id: headingPrefix + id };
}
