import type { FileRow, HostileCase } from './hostile-case.js';
import { fileRows, noted } from './make-case.js';
import { sbiPath } from './place.js';

/** `state.json` with the given members after its status. */
function ready(members: string): string {
  return `{"status":"READY",${members}}`;
}

function states(id: string, input: string, rows: readonly FileRow[]): HostileCase {
  return fileRows({ id, input, name: 'state.json', rows });
}

const bom = Buffer.from([0xef, 0xbb, 0xbf]);

/** JSON that readers read differently, or not at all. */
export const jsonCases: readonly HostileCase[] = [
  states('J01', 'a key twice in one object, also nested, also once as an escape', [
    ['{"status":"READY","status":"DONE"}', 'duplicate-key'],
    [ready('"meta":{"a":1,"a":2}'), 'duplicate-key'],
    [ready('"st\\u0061tus":"DONE"'), 'duplicate-key'],
    [ready('"__proto__":1,"__proto__":2'), 'duplicate-key'],
  ]),
  states('J02', 'keys that differ in case only, also by a Kelvin sign or a long s', [
    [ready('"Status":"DONE"'), 'case-fold-key'],
    [ready('"meta":{"version":5,"Version":9}'), 'case-fold-key'],
    [ready('"\u212a":1,"k":2'), 'case-fold-key'],
    [ready('"\u017f":1,"s":2'), 'case-fold-key'],
  ]),
  states('J03', 'keys __proto__, constructor, prototype, nested too', [
    [ready('"__proto__":{"polluted":true,"__proto__":{"polluted":true}}')],
    [ready('"constructor":{"prototype":{"polluted":true}},"prototype":1,"toString":null')],
    [ready('"meta":{"__proto__":{"status":"DONE"},"hasOwnProperty":1}')],
  ]),
  noted(
    states('J04', 'numbers beyond 2^53 and 1e400 in and outside of columns, -0, 1.0', [
      [ready('"priority":9007199254740993'), 'number-range'],
      [ready('"priority":1e400'), 'number-range'],
      [ready('"x":9007199254740993,"y":1e400,"z":-0,"f":1.0')],
      [ready('"priority":-0,"turn":1.0')],
    ]),
    'Keys without a column are data: their numbers are kept in the spelling of the file',
  ),
  states('J05', 'NaN, Infinity, trailing comma, comments, single quotes', [
    [ready('"x":NaN'), 'json-syntax'],
    [ready('"x":Infinity'), 'json-syntax'],
    ['{"status":"READY",}', 'json-syntax'],
    ['{"status":"READY"/* why */}', 'json-syntax'],
    ["{'status':'READY'}", 'json-syntax'],
  ]),
  states('J06', 'nesting of 64, 65, 1,001 and 100,000 levels', [
    [ready(`"x":${'['.repeat(63)}${']'.repeat(63)}`)],
    [ready(`"x":${'['.repeat(64)}${']'.repeat(64)}`), 'json-depth'],
    [ready(`"x":${'['.repeat(1_000)}${']'.repeat(1_000)}`), 'json-depth'],
    [ready(`"x":${'['.repeat(99_999)}${']'.repeat(99_999)}`), 'json-depth'],
    [ready(`"x":${'{"x":'.repeat(99_999)}1${'}'.repeat(99_999)}`), 'json-depth'],
    [ready(`"x":${'['.repeat(99_999)}`), 'json-syntax'],
  ]),
  {
    id: 'J07',
    input:
      '100 MB in state.json, a million keys in workflow.json, 10,000 keys in setting.json, a million [ in var/state.json',
    expect: {
      verdict: 'quarantine',
      errors: [
        [sbiPath(1, 'state.json'), 'file-too-large'],
        ['workflow.json', 'file-too-large'],
        ['var/state.json', 'json-syntax'],
      ],
    },
    prepare: (place) => {
      const keys = (count: number): string =>
        `{${Array.from({ length: count }, (_, at) => `"k${at}":${at}`).join(',')}}`;
      place.putSbi(1, { 'state.json': ready(`"x":"${'x'.repeat(100_000_000)}"`) });
      place.put('workflow.json', keys(1_000_000));
      place.put('setting.json', keys(10_000));
      place.put('var/state.json', '['.repeat(1_000_000));
    },
  },
  {
    id: 'J07b',
    input: '600 MB in setting.json, more than a text can hold; 100 MB of [ in var/state.json',
    note: 'Above 1 MiB neither is read before the migration begins',
    isHeavy: true,
    expect: {
      verdict: 'quarantine',
      errors: [
        ['setting.json', 'file-too-large'],
        ['var/state.json', 'file-too-large'],
      ],
    },
    prepare: (place) => {
      place.put('setting.json', Buffer.alloc(600_000_000, 'x'));
      place.put('var/state.json', Buffer.alloc(100_000_000, '['));
    },
  },
  states('J08', 'wrong types: turn as text, 3.5 or -1, labels as text, a status of 5, null, a list', [
    [ready('"turn":"3"'), 'shape'],
    [ready('"turn":3.5'), 'number-range'],
    [ready('"turn":-1'), 'shape'],
    [ready('"labels":"a"'), 'shape'],
    ['{"status":5}', 'status-known'],
    ['null', 'json-syntax'],
    ['[{"status":"READY"}]', 'json-syntax'],
    ['"READY"', 'json-syntax'],
  ]),
  states('J09', 'unknown further keys of every type', [
    [ready('"extra":{"deep":[1,"two",null,true]},"":0,"original":1,"derived":2,"layout":"?"')],
  ]),
  states('J10', 'a key that is missing, null or empty text', [
    ['{"status":"READY"}'],
    [ready('"label":null,"turn":null,"created_at":null')],
    [ready('"label":"","decision":"","created_at":""')],
  ]),
  states('J11', 'statuses: REVIEW&WIP, also escaped; lower case, unknown, empty, missing', [
    ['{"status":"REVIEW&WIP"}'],
    ['{"status":"REVIEW\\u0026WIP"}'],
    ['{"status":"ready"}', 'status-known'],
    ['{"status":"CANCELLED"}', 'status-known'],
    ['{"status":""}', 'status-known'],
    ['{"turn":1}', 'status-known'],
  ]),
  states('J12', 'a byte order mark or UTF-16 before JSON, NUL after it', [
    [Buffer.concat([bom, Buffer.from('{"status":"READY"}')]), 'json-syntax'],
    [Buffer.from('\ufeff{"status":"READY"}', 'utf16le'), 'json-syntax'],
    ['{"status":"READY"}\0\0\0\0', 'json-syntax'],
  ]),
  states('J13', 'two documents in one file, a torn one, an empty file, blanks only', [
    ['{"status":"READY"}{"status":"DONE"}', 'json-syntax'],
    ['{"status":"READY","tur', 'json-syntax'],
    ['', 'json-syntax'],
    [' \n\n ', 'json-syntax'],
  ]),
  fileRows({
    id: 'J14',
    input: 'half a surrogate pair or NUL as an escape, in and outside of columns',
    note: 'Outside of columns, the id in the file included, the escape is kept as it is written',
    name: 'state.json',
    rows: [
      [ready('"id":"SBI-\\ud800"')],
      [ready('"task_id":"a\\u0000b"'), 'column-text'],
      [ready('"labels":["\\udc00"]'), 'column-text'],
      [ready('"x":"\\ud800","y":"\\u0000","z":"\\udc00\\ud800"')],
    ],
    warnings: [[sbiPath(1, 'state.json'), 'sbi-id-mismatch']],
  }),
  states('J15', 'keys that look like JSON paths: a.b, $, a quote, [0]', [
    [ready('"a.b":1,"$":2,"\\"":3,"[0]":4,"$.status":"DONE","a":{"b":5}')],
  ]),
  {
    id: 'J16',
    input: 'a storage_mode that nobody knows',
    expect: {
      verdict: 'refuse',
      refusals: [
        { args: ['migrate'], exit: 78, code: 'MODE.UNKNOWN' },
        { args: ['migrate', '--quarantine'], exit: 78, code: 'MODE.UNKNOWN' },
        { args: ['status'], exit: 78, code: 'MODE.UNKNOWN' },
      ],
    },
    prepare: (place) => place.put('setting.json', '{"storage_mode":"both"}'),
  },
  {
    id: 'J16b',
    input: 'storage_mode twice, with different values',
    note: 'Only mode file can be in force before a mode is granted, so nothing is guessed; status says that the file cannot be read',
    expect: { verdict: 'quarantine', errors: [['setting.json', 'duplicate-key']] },
    prepare: (place) => place.put('setting.json', '{"storage_mode":"file","storage_mode":"sqlite"}'),
  },
];
