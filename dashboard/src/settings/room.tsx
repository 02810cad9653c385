import { useQuery, useQueryClient } from '@tanstack/react-query';
import { LogOut, MonitorCog, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { useMay, whoAmI } from '~/api/access';
import { useKinds } from '~/api/discovery';
import { shown } from '~/api/problem';
import { request } from '~/api/request';
import { accounts, secretStores, tokens } from '~/api/resource';
import { signOut } from '~/session/session';
import { choose, useMode } from '~/theme/mode';
import { Button } from '~/ui/button';
import { Panel, RoomHead, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Segmented } from '~/ui/segmented';
import { Mark } from '~/ui/status';
import { toast } from '~/ui/toast';
import { Credentials } from './credentials';
import { Stores } from './stores';
import { Tokens } from './tokens';

/** Who one is here, with what, and how it looks. */
export function SettingsRoom() {
  const maySeeTokens = useMay('list', tokens);
  const maySeeAccounts = useMay('list', accounts);
  const hasStores = useKinds()?.has(secretStores.plural) ?? false;
  const maySeeStores = useMay('list', secretStores);
  return (
    <>
      <RoomHead title="Settings" note="You, your tokens, and the credentials Mirage acts with." />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <You />
        <Look />
        {maySeeAccounts !== false && <Credentials />}
        {hasStores && maySeeStores !== false && <Stores />}
        {maySeeTokens !== false && <Tokens />}
      </div>
    </>
  );
}

function You() {
  const person = useQuery({ queryKey: ['who'], queryFn: whoAmI });
  const version = useQuery({ queryKey: ['version'], queryFn: () => request<{ gitVersion: string }>('/version') });
  const queries = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const leave = async () => {
    setBusy(true);
    try {
      await signOut();
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'live' });
    } catch (error) {
      toast('danger', shown(error).title, shown(error).nextStep);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel
      title="You"
      aside={
        <Button size="small" isBusy={isBusy} onClick={() => void leave()}>
          <LogOut className="size-4" aria-hidden /> Sign out
        </Button>
      }
    >
      {person.error ? (
        <ProblemNotice error={person.error} />
      ) : !person.data ? (
        <Skeleton className="h-16" />
      ) : (
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 [&>dt]:text-ink-soft">
          <dt>Name</dt>
          <dd className="font-medium break-all">{person.data.username}</dd>
          <dt>Groups</dt>
          <dd className="flex flex-wrap gap-1.5">
            {person.data.groups.map((group) => (
              <Mark key={group} tone="idle">
                {group}
              </Mark>
            ))}
          </dd>
          {person.data.token && (
            <>
              <dt>Came in by</dt>
              <dd className="font-mono text-[13px] break-all">{person.data.token}</dd>
            </>
          )}
          {version.data && (
            <>
              <dt>Server</dt>
              <dd className="font-mono text-[13px]">{version.data.gitVersion}</dd>
            </>
          )}
        </dl>
      )}
    </Panel>
  );
}

function Look() {
  const mode = useMode();
  return (
    <Panel title="Look" note="Kept in this browser.">
      <Segmented
        label="Theme"
        value={mode}
        onChange={choose}
        options={[
          { value: 'light', label: (<><Sun className="size-4" aria-hidden /> Light</>) },
          { value: 'dark', label: (<><Moon className="size-4" aria-hidden /> Dark</>) },
          { value: 'system', label: (<><MonitorCog className="size-4" aria-hidden /> System</>) },
        ]}
      />
    </Panel>
  );
}
