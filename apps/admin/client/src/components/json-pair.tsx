import { visibleText } from './format.js';

/** JSON text or value for people: indented; text that is no JSON as it is. */
export function readableJson(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return JSON.stringify(value, null, 2);
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'string' ? parsed : JSON.stringify(parsed, null, 2);
  } catch {
    return value;
  }
}

interface JsonPairProps {
  readonly oldValue: unknown;
  readonly newValue: unknown;
}

function Side({ label, value, kind }: { label: string; value: unknown; kind: 'old' | 'new' }) {
  const text = readableJson(value);
  return (
    <div>
      <div className="snippet">{label}</div>
      <pre className={`value value-${kind}`} tabIndex={0} aria-label={label}>
        {text === '' ? 'nothing' : visibleText(text, 20_000)}
      </pre>
    </div>
  );
}

/** What was and what is now, side by side. */
export function JsonPair({ oldValue, newValue }: JsonPairProps) {
  return (
    <div className="pair">
      <Side label="Before" value={oldValue} kind="old" />
      <Side label="After" value={newValue} kind="new" />
    </div>
  );
}
