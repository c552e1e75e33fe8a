import type { Json } from '@deespec/domain';
import fc from 'fast-check';

import {
  contentArbitrary,
  directoryArbitrary,
  extrasArbitrary,
  fileArbitrary,
  mergeNodes,
  nodeArbitrary,
  type ArbitraryNode,
  type NamedNode,
} from './arbitrary-node.js';
import { goJson, jsonStyles, jsonText } from './json-text.js';
import { Random } from './random.js';

/** One child of `specs/sbi` and the journal lines that name it. */
export interface ArbitrarySbi {
  readonly node: NamedNode;
  readonly lines: readonly string[];
}

const steps = ['implement', 'review', 'test', 'done'] as const;
const timeText = '2024-05-06T07:08:09.123456789Z';

const idArbitrary = fc
  .nat()
  .map((seed) => new Random(seed))
  .map((random) => `SBI-${random.ulid(1_715_000_000_000 + random.int(0, 1e9))}`);

const statusArbitrary = fc.constantFrom('READY', 'WIP', 'REVIEW', 'REVIEW&WIP', 'DONE');

/** Up to four artifacts, of turns counted from `firstTurn` without a gap. */
function artifactsArbitrary(firstTurn: number): fc.Arbitrary<readonly NamedNode[]> {
  return fc
    .array(fileArbitrary(contentArbitrary), { maxLength: steps.length })
    .map((files) => files.map((file, index) => [`${steps[index]!}_${firstTurn + index}.md`, file] as const));
}

function sbiNode(id: string, children: fc.Arbitrary<readonly NamedNode[]>): fc.Arbitrary<NamedNode> {
  const whole = fc.tuple(children, extrasArbitrary).map(([own, extras]) => mergeNodes(own, extras));
  return directoryArbitrary(whole).map((node) => [id, node] as const);
}

function textFile(text: fc.Arbitrary<string>): fc.Arbitrary<ArbitraryNode> {
  return fileArbitrary(text.map((value) => Buffer.from(value)));
}

/** A specification with at least one byte that is not zero. */
const specArbitrary = fileArbitrary(
  contentArbitrary.map((bytes) => Buffer.concat([Buffer.from('# '), bytes])),
);

function stateText(id: string): fc.Arbitrary<string> {
  const state = fc.record({
    status: statusArbitrary,
    style: fc.constantFrom(...jsonStyles),
    extra: fc.dictionary(
      fc.string({ maxLength: 5 }).map((key) => `x_${key}`),
      fc.jsonValue({ maxDepth: 2 }),
    ),
  });
  return state.map(({ status, style, extra }) =>
    jsonText({ id, status, turn: 1, ...(extra as Record<string, Json>), updated_at: timeText }, style),
  );
}

function layoutA(id: string): fc.Arbitrary<ArbitrarySbi> {
  const children = fc
    .tuple(specArbitrary, textFile(stateText(id)), artifactsArbitrary(1))
    .map(([spec, state, artifacts]) => [['spec.md', spec], ['state.json', state], ...artifacts] as const);
  return sbiNode(id, children).map((node) => ({ node, lines: [] }));
}

function layoutB(id: string): fc.Arbitrary<ArbitrarySbi> {
  const meta = textFile(
    fc.nat(9).map((n) => `id: ${id}\ntitle: Task ${n}\nlabels: [a]\ncreated_at: ${timeText}\n`),
  );
  const children = fc
    .tuple(specArbitrary, meta, artifactsArbitrary(2))
    .map(([spec, metaFile, artifacts]) => [['spec.md', spec], ['meta.yml', metaFile], ...artifacts] as const);
  return fc
    .tuple(sbiNode(id, children), fc.nat(steps.length))
    .map(([node, turns]) => ({ node, lines: journalLines(id, turns) }));
}

function journalLines(id: string, turns: number): string[] {
  const spec_path = `.deespec/specs/sbi/${id}`;
  const time = { decision: 'PENDING', elapsed_ms: 7, error: '', ts: timeText };
  const pick = { artifacts: [{ type: 'pick', id, task_id: id, spec_path }], step: 'plan', turn: 1, ...time };
  const rest = steps.slice(0, turns).map((step, index) => {
    const turn = index + 2;
    return { artifacts: [`${spec_path}/${step}_${turn}.md`], attempt: 1, status: 'WIP', step, turn, ...time };
  });
  return [pick, ...rest].map((line) => `${goJson(line)}\n`);
}

/** SBIs that a rule rejects, or that a damaged disk leaves behind; each must still be kept byte for byte. */
function broken(id: string): fc.Arbitrary<ArbitrarySbi> {
  const named = (name: string, node: fc.Arbitrary<ArbitraryNode>): fc.Arbitrary<NamedNode> =>
    sbiNode(
      id,
      node.map((child) => [[name, child]] as const),
    );
  const bad = fc.oneof(
    named('state.json', fileArbitrary(contentArbitrary)),
    named(
      'state.json',
      textFile(fc.constantFrom('{"status":"PAUSED"}', '{"status":"DONE","status":"WIP"}', '{"a')),
    ),
    named('state.json', nodeArbitrary),
    named('meta.yml', fileArbitrary(contentArbitrary)),
    named('spec.md', nodeArbitrary),
    fc.tuple(fc.constant('SBI-INIT-001'), nodeArbitrary),
    fc.tuple(fc.constant(id), nodeArbitrary),
  );
  const garbage = fc.constantFrom([], ['not json\n'], ['\n'], ['{"turn":'], ['{}{}\n']);
  return fc.tuple(bad, garbage).map(([node, lines]) => ({ node, lines }));
}

/** An SBI of either layout, broken in one case of four. */
export const sbiArbitrary: fc.Arbitrary<ArbitrarySbi> = idArbitrary.chain((id) =>
  fc.oneof(
    { weight: 3, arbitrary: layoutA(id) },
    { weight: 3, arbitrary: layoutB(id) },
    { weight: 2, arbitrary: broken(id) },
  ),
);
