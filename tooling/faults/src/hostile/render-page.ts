import type { Section } from './catalogue.js';

const head = `# Hostile inputs

What becomes of input that is broken, misleading or made to harm, as seen when each case was last run against the real command line. This page is written by the run itself:

\`\`\`bash
npm run faults -- hostile --write docs/hostile-inputs.md
\`\`\`

| verdict | what was seen |
| --- | --- |
| exact | \`migrate\`, \`verify --check-all\` and \`export\` end with 0, and the export is the source byte for byte: names, modes, links, contents |
| quarantine | \`migrate\` refuses with 65, publishes nothing and names each entry and its [rule](rules.md); with \`--quarantine\` it ends with 3, \`verify --check-all\` with 0, and the export is the source byte for byte |
| refuse | the command fails with the [error](errors.md) that is named; nothing is published |
| not applicable | no command takes such input |

In each case the source stayed what it was, by a digest that other programs made; nothing outside of the tree was read or written; no command took more than 256 MiB of memory or printed a control character of a tree; none hung, and none called it a bug. Entries of one case that are no finding are exported like all others.
`;

/** The page of the catalogue. `seen` is what each case ended with, by id. */
export function renderPage(sections: readonly Section[], seen: ReadonlyMap<string, string>): string {
  const tables = sections.map(({ title, cases }) => {
    const rows = cases.map(({ id, input, expect, note }) => [
      id,
      escapeCell(input),
      expect.verdict,
      seen.get(id) ?? '',
      escapeCell(note ?? ''),
    ]);
    const lines = [
      ['id', 'input', 'verdict', 'seen', 'note'],
      Array.from({ length: 5 }, () => '---'),
      ...rows,
    ];
    return `## ${title}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
  });
  return `${head}\n${tables.join('\n')}`;
}

/** Text as a cell of a Markdown table. */
export function escapeCell(text: string): string {
  return text.replace(/[\\|*_<>`[\]~&]/gu, (c) => `\\${c}`);
}
