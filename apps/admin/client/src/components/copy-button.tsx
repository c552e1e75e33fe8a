import { Button } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Icon } from './icons.js';

interface CopyButtonProps {
  readonly text: string;
  /** "Copy id", "Copy text". */
  readonly label: string;
  /** Only the icon is seen; the label is its name. */
  readonly compact?: boolean;
}

/** Puts a text into the clipboard and says for two seconds that it did. */
export function CopyButton({ text, label, compact = false }: CopyButtonProps) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return undefined;
    const timer = setTimeout(() => setState('idle'), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('failed'),
    );
  };
  const said = { idle: label, copied: 'Copied', failed: 'The browser did not allow it' }[state];
  return (
    <Button
      variant={compact ? 'subtle' : 'default'}
      size="compact-xs"
      color="gray"
      onClick={copy}
      aria-label={said}
      title={said}
    >
      <Icon name={state === 'copied' ? 'check' : 'copy'} size={14} />
      {!compact && <span className="button-text">{said}</span>}
    </Button>
  );
}
