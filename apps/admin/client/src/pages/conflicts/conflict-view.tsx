import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Schemas } from '../../api/client.js';
import { conflictAddress, useConflict, useConflictContent, useResolve } from '../../api/keeping.js';
import { useKnownSession } from '../../api/session.js';
import { Difference } from '../../components/difference.js';
import { formatBytes, visibleText } from '../../components/format.js';
import { Command, Facts, Panel } from '../../components/page.js';
import { SaveButton } from '../../components/save-button.js';
import { QueryState } from '../../components/states.js';
import { Time } from '../../components/time.js';
import { TypedConfirmation } from '../../components/typed-confirmation.js';

type Detail = Schemas['ConflictDetailDto'];
type Take = Schemas['ResolveRequest']['take'];

const storeNames: Readonly<Record<string, string>> = { files: 'the files', sqlite: 'the database' };

function versionFacts(version: Omit<Schemas['VersionDto'], 'kind'>) {
  return [
    ['Changed', <Time key="at" value={version.modifiedAt} show="both" />],
    ['Size', formatBytes(version.sizeBytes)],
    [
      'SHA-256',
      <code key="hash" className="mono">
        {version.sha256.slice(0, 16)}
      </code>,
    ],
  ] as const;
}

function Texts({ conflict }: { readonly conflict: Detail }) {
  const kept = useConflictContent(conflict.id, 'kept', conflict.kind === 'file');
  const present = useConflictContent(conflict.id, 'present', conflict.present?.kind === 'file');
  if (conflict.kind !== 'file' || conflict.present?.kind !== 'file') {
    return (
      <p>One of the two is no file, or nothing stands there now: there are no two texts to be compared.</p>
    );
  }
  return (
    <QueryState query={kept} what="the kept version">
      {(old) => (
        <QueryState query={present} what="the present version">
          {(now) =>
            old.text === undefined || now.text === undefined ? (
              <p>One of the two is no text, or too large for a page. Save both and compare them.</p>
            ) : (
              <Difference
                oldText={old.text}
                newText={now.text}
                oldLabel="kept version"
                newLabel="present version"
                sideBySide
              />
            )
          }
        </QueryState>
      )}
    </QueryState>
  );
}

function Versions({ conflict }: { readonly conflict: Detail }) {
  const name = conflict.path.split('/').at(-1) ?? 'file';
  return (
    <div className="pair">
      <Panel
        title={`Kept: of ${storeNames[conflict.store] ?? conflict.store}`}
        actions={
          <SaveButton
            address={conflictAddress(conflict.id, 'kept')}
            name={name}
            label="Save the kept version"
          />
        }
      >
        <Facts rows={versionFacts(conflict)} />
      </Panel>
      <Panel
        title={`Present: of ${conflict.store === 'files' ? storeNames['sqlite'] : storeNames['files']}, stands there now`}
        actions={
          conflict.present !== undefined && (
            <SaveButton
              address={conflictAddress(conflict.id, 'present')}
              name={name}
              label="Save the present version"
            />
          )
        }
      >
        {conflict.present === undefined ? (
          <p>Nothing: the path was removed.</p>
        ) : (
          <Facts rows={versionFacts(conflict.present)} />
        )}
      </Panel>
    </div>
  );
}

/** One conflict: both versions side by side, and the choice. */
export function ConflictView({ id, onResolved }: { readonly id: string; readonly onResolved: () => void }) {
  const conflict = useConflict(id);
  const session = useKnownSession();
  const resolve = useResolve(id);
  const [take, setTake] = useState<Take>();
  const names = { file: 'the version of the files', db: 'the version of the database' };
  return (
    <QueryState query={conflict} what="the conflict">
      {(data) => (
        <section aria-label={`Conflict on ${visibleText(data.path, 200)}`}>
          <h2 className="mono">{visibleText(data.path, 300)}</h2>
          <p>{data.reason}</p>
          <Versions conflict={data} />
          <Texts conflict={data} />
          <div className="text-tools choice">
            <Button disabled={session.readOnly} onClick={() => setTake('file')}>
              Take the version of the files …
            </Button>
            <Button disabled={session.readOnly} onClick={() => setTake('db')}>
              Take the version of the database …
            </Button>
            <Command text={`deespec conflict resolve ${data.id} --take file`} />
          </div>
          {session.readOnly && (
            <p>This page is read-only: start “deespec admin” without --read-only to choose.</p>
          )}
          {take !== undefined && (
            <TypedConfirmation
              opened
              title={`Take ${names[take]}`}
              word={data.path}
              action="Take it"
              busy={resolve.isPending}
              error={resolve.error}
              onConfirm={() => resolve.mutate({ take, confirm: data.path }, { onSuccess: onResolved })}
              onClose={() => setTake(undefined)}
            >
              <p>{`${names[take][0]?.toUpperCase() ?? ''}${names[take].slice(1)} will stand in both stores. The other one goes to .storage/trash/.`}</p>
            </TypedConfirmation>
          )}
        </section>
      )}
    </QueryState>
  );
}
