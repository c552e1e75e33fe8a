import { isStorageError, parentPath, pathFromText, type TreeEdit, type TreePath } from '@deespec/domain';
import { MemoryTreeStore } from '@deespec/storage-contract';
import fc from 'fast-check';

export const a = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';
export const b = 'SBI-01M810CC093DHZQK57AH103BW2';

/** One random change of a tree. */
export type Step =
  | { readonly op: 'put'; readonly path: string; readonly pick: number; readonly mode: number }
  | { readonly op: 'append'; readonly pick: number }
  | { readonly op: 'remove' | 'discard'; readonly path: string };

const homes = [a, `${a}_slug`, b, `${b}_0`, `${b}x`, 'SBI-INIT-001', 'notes'].map(
  (name) => `specs/sbi/${name}`,
);
const files = [
  ...['state.json', 'meta.yml', 'meta.yaml', 'spec.md', 'plan_1.md', 'implement_2.md', 'review_2.md'],
  'histories/run_1/implement_2.md',
];
const JOURNAL = 'var/journal.ndjson';
const paths = [
  ...homes.flatMap((home) => files.map((file) => `${home}/${file}`)),
  ...[JOURNAL, 'var/state.json'],
  ...['workflow.json', 'etc/workflow.yaml', 'setting.json', 'specs/sbi/README'],
  ...['manifest.json', 'status.intent', 'status.commit'].map((file) => `journal/2026-01-02/tx/${file}`),
  'var/txn/txn_1/status.intent',
];

const time = '2026-01-02T03:04:05Z';
const line = (value: object): string => `${JSON.stringify({ decision: 'PENDING', ts: time, ...value })}\n`;
const step = (id: string, file: string, turn: number): string =>
  line({ artifacts: [`.deespec/specs/sbi/${id}/${file}_${turn}.md`], step: file, turn, status: 'WIP' });
const pick = (id: string): string =>
  line({ artifacts: [{ type: 'pick', id, task_id: `T-${id}` }], step: 'plan', turn: 1 });
const lines = [a, b].flatMap((id) => [
  pick(id),
  step(id, 'implement', 2),
  step(id, 'review', 2),
  step(id, 'plan', 1),
]);
const allLines = [...lines, ...lines, step(a, 'implement', 2) + step(b, 'implement', 2), '\n', 'garbage\n'];
const journals = [
  '',
  pick(a) + step(a, 'implement', 2),
  pick(a) + step(a, 'implement', 2) + pick(a) + step(a, 'implement', 2),
  pick(a) + step(a, 'implement', 2).trimEnd(),
  `${pick(b)}{"torn`,
  `${pick(b)}garbage\n${step(b, 'review', 2)}`,
  '\0\0\0\0',
];

const contents: Readonly<Record<string, readonly string[]>> = {
  'state.json': [
    '{"status":"WIP"}',
    '{"status":"DONE","priority":3,"label":"x"}',
    `{"status":"WIP","current":"implement","turn":2,"lease_expires_at":"${time}"}`,
    '{"sta',
  ],
  'meta.yml': ['title: x\n', 'title: y\npriority: 2\n', 'a: [\n'],
  'meta.yaml': ['title: x\n', 'title: z\n'],
  'workflow.json': ['{"name":"w","x":1}', '{"x":2}', '{'],
  'workflow.yaml': ['name: y\n', 'name: z\nx: 3\ny: 4\n', 'a: [\n'],
  'setting.json': ['{"max_turns":8}', '{"max_turns":9,"b":null}'],
  'journal.ndjson': journals,
  'manifest.json': [`{"id":"tx","description":"d","files":[],"created_at":"${time}"}`, '{"id'],
  'status.commit': [`{"txn_id":"tx","committed_at":"${time}","committed_files":[],"success":true}`, '{}'],
};
const goStates = [a, b, ''].map((wip) =>
  JSON.stringify({ wip, status: 'REVIEW', current: 'review', turn: 2 }),
);
const texts = ['', 'text\n', 'DECISION: SUCCEEDED\n', '\0\0', 'x'.repeat(1_048_577)];

function contentAt(path: string, pick: number): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const list = path === 'var/state.json' ? [...goStates, '{"wip'] : (contents[name] ?? texts);
  return list[pick % list.length]!;
}

const hot = [a, b].flatMap((id) =>
  ['meta.yml', 'spec.md', 'implement_2.md'].map((file) => `specs/sbi/${id}/${file}`),
);
const path = fc.oneof(
  fc.constantFrom(...paths),
  fc.constantFrom(...hot),
  fc.constantFrom(JOURNAL, 'var/state.json', 'var/state.json'),
);
const directories = fc.constantFrom(...homes, ...homes, 'var', 'specs', 'etc', 'journal/2026-01-02/tx');

/** Plans of a few changes each; a change that the tree has no place for is left out. */
export const plans: fc.Arbitrary<readonly (readonly Step[])[]> = fc.array(
  fc.array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          op: fc.constant('put' as const),
          path,
          pick: fc.nat(20),
          mode: fc.constantFrom(0o644, 0o644, 0o600),
        }),
      },
      { weight: 5, arbitrary: fc.record({ op: fc.constant('append' as const), pick: fc.nat(50) }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('remove' as const), path }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('discard' as const), path: directories }) },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  { minLength: 1, maxLength: 14 },
);

/** Makes the steps of a plan in the reference, one by one. @returns their edits */
export async function editsOf(memory: MemoryTreeStore, steps: readonly Step[]): Promise<TreeEdit[]> {
  const made: TreeEdit[] = [];
  for (const one of steps) {
    const edits = stepEdits(memory, one);
    try {
      await memory.edit(() => ({ edits }));
      made.push(...edits);
    } catch (error) {
      if (!isStorageError(error)) throw error;
    }
  }
  return made;
}

function stepEdits(memory: MemoryTreeStore, one: Step): TreeEdit[] {
  if (one.op === 'append') {
    const at = pathFromText(JOURNAL);
    return [
      ...missing(memory, at),
      { op: 'append', path: at, line: Buffer.from(allLines[one.pick % allLines.length]!) },
    ];
  }
  const at = pathFromText(one.path);
  if (one.op === 'discard') return [{ op: 'discard', path: at }];
  const expected = memory.find(at)?.sha256;
  if (one.op !== 'put') return [{ op: 'remove', path: at, expected: expected ?? '' }];
  const version = {
    path: at,
    kind: 'file',
    mode: one.mode,
    bytes: Buffer.from(contentAt(at, one.pick)),
  } as const;
  return [...missing(memory, at), { op: 'put', version, expected }];
}

/** Edits that make the directories above a path. */
function missing(memory: MemoryTreeStore, at: TreePath): TreeEdit[] {
  const parent = parentPath(at) as TreePath | '';
  if (parent === '' || memory.find(parent) !== undefined) return [];
  const version = { path: parent, kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) } as const;
  return [...missing(memory, parent), { op: 'put', version, expected: undefined }];
}
