interface Node {
  type: string;
  children?: Node[];
}

/** A plugin for rehype: HTML that stands in a Markdown text becomes text that shows its tags; before the sanitiser drops it unseen. */
export function htmlAsText() {
  return (tree: Node) => {
    const pending: Node[] = [tree];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.type === 'raw') node.type = 'text';
      for (const child of node.children ?? []) pending.push(child);
    }
  };
}
