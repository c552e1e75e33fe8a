import { StorageError } from '@deespec/domain';
import type { Json, TreePath } from '@deespec/domain';

import { SETTINGS_BYTES } from '../content.js';
import { cannotExpress, malformed } from '../edit.js';
import { isColumnText } from '../fields.js';
import { setJsonKey } from '../json-edit.js';
import { parseJson, parseJsonObject } from '../json-text.js';
import { ETC_WORKFLOW, SETTING, WORKFLOW } from '../paths.js';
import { setYamlKey } from '../yaml-edit.js';
import { parseYaml } from '../yaml-text.js';
import type { Draft } from './draft.js';

/**
 * Sets one key of the file that has it, or, when none has, of the one that is there; every other byte stays.
 *
 * @throws StorageError `USAGE.INVALID` for the mode, which has a command of its own, or another file than `setting` and
 *   `workflow`; `LAYOUT.MALFORMED`, `LAYOUT.CANNOT_EXPRESS`
 */
export function setConfig(draft: Draft, fullKey: string, valueJson: string): void {
  const dot = fullKey.indexOf('.');
  const [prefix, key] = [fullKey.slice(0, dot), fullKey.slice(dot + 1)];
  if (dot < 0 || key === '' || (prefix !== 'setting' && prefix !== 'workflow')) {
    throw invalid(fullKey, 'a key is setting.<name> or workflow.<name>');
  }
  if (!isColumnText(key)) throw invalid(fullKey, 'a key has no NUL and no half surrogate pair');
  if (fullKey === 'setting.storage_mode') {
    throw invalid(fullKey, 'the mode is changed with "deespec mode set"');
  }
  const path = prefix === 'setting' ? SETTING : workflowFile(draft, key);
  const bytes = draft.file(path, SETTINGS_BYTES);
  const edited =
    path === ETC_WORKFLOW
      ? setYamlKey(bytes!, [key], valueOf(fullKey, valueJson))
      : setJsonKey(bytes ?? Buffer.from('{\n}\n'), [key], valueJson);
  if (edited.length > SETTINGS_BYTES) throw cannotExpress([fullKey], `${path} would be too large to be read`);
  draft.put(path, edited);
}

/** `workflow.json` counts where both files have the key. */
function workflowFile(draft: Draft, key: string): TreePath {
  const yaml = draft.file(ETC_WORKFLOW, SETTINGS_BYTES);
  if (yaml === undefined) return WORKFLOW;
  const json = draft.file(WORKFLOW, SETTINGS_BYTES);
  if (json === undefined) return ETC_WORKFLOW;
  const inJson = parseJsonObject(json);
  if (inJson.problem !== undefined) throw malformed(inJson.problem);
  if (Object.hasOwn(inJson.value, key)) return WORKFLOW;
  const inYaml = parseYaml(yaml);
  if (inYaml.problem !== undefined) throw malformed(inYaml.problem);
  return Object.hasOwn(inYaml.value, key) ? ETC_WORKFLOW : WORKFLOW;
}

function valueOf(key: string, valueJson: string): Json {
  const parsed = parseJson(Buffer.from(valueJson));
  if (parsed.problem === undefined) return parsed.value;
  throw invalid(key, `the value is no JSON: ${parsed.problem.actual}`);
}

function invalid(key: string, why: string): StorageError {
  return new StorageError('USAGE.INVALID', `cannot set ${JSON.stringify(key)}: ${why}`, {
    hint: '"deespec config list" shows the keys there are',
    details: { key },
  });
}
