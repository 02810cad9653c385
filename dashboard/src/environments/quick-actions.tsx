import { useNavigate } from '@tanstack/react-router';
import { Copy, Ellipsis, ExternalLink, Hourglass, Pause, Play, ScrollText, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '~/api/access';
import { shown } from '~/api/problem';
import type { Environment } from '~/api/kinds';
import { environments } from '~/api/resource';
import { IconButton } from '~/ui/button';
import { Menu } from '~/ui/menu';
import { toast } from '~/ui/toast';
import { suspend } from './actions';
import { DestroyDialog } from './destroy-dialog';
import { ExtendDialog } from './extend-dialog';
import { placeOf, safeUrl } from './facts';

/**
 * What can be done with an environment from wherever it is shown. Until someone wants it, it is a button and nothing
 * else: a thousand menus that nobody opens would be most of what a page costs.
 */
export function QuickActions({ environment }: { environment: Environment }) {
  const [wantedBy, setWantedBy] = useState<'pointer' | 'keyboard'>();
  if (wantedBy) return <Actions environment={environment} openedBy={wantedBy} />;
  return (
    <IconButton
      label={`Actions for ${environment.metadata.name}`}
      aria-haspopup="menu"
      aria-expanded={false}
      className="relative z-10 size-8"
      // A click that no pointer made counts none.
      onClick={(event) => setWantedBy(event.detail === 0 ? 'keyboard' : 'pointer')}
    >
      <Ellipsis className="size-4" aria-hidden />
    </IconButton>
  );
}

function Actions({ environment, openedBy }: { environment: Environment; openedBy: 'pointer' | 'keyboard' }) {
  const navigate = useNavigate();
  const [asks, setAsks] = useState<'extend' | 'destroy'>();
  const { name, namespace } = placeOf(environment);
  const mayPatch = useMay('patch', environments, namespace);
  const mayDelete = useMay('delete', environments, namespace);
  const url = safeUrl(environment.status?.url);
  const railway = safeUrl(environment.status?.railway?.dashboardUrl);
  const isSuspended = environment.spec.suspend === true;

  const toggle = async () => {
    try {
      await suspend(environment, !isSuspended);
      toast('info', isSuspended ? `${name} starts again` : `${name} is being suspended`);
    } catch (error) {
      const problem = shown(error);
      toast('danger', problem.title, problem.message || problem.nextStep);
    }
  };

  const visit = (address: string) => window.open(address, '_blank', 'noopener,noreferrer');

  return (
    <>
      <Menu
        openedBy={openedBy}
        trigger={
          <IconButton label={`Actions for ${name}`} className="relative z-10 size-8">
            <Ellipsis className="size-4" aria-hidden />
          </IconButton>
        }
        items={[
          { label: 'Open', icon: <ExternalLink />, isDisabled: !url, onSelect: () => url && visit(url) },
          {
            label: 'Logs on Railway',
            icon: <ScrollText />,
            isDisabled: !railway,
            onSelect: () => railway && visit(railway),
          },
          {
            label: 'Clone',
            icon: <Copy />,
            onSelect: () => void navigate({ to: '/new', search: { from: `${namespace}/${name}` } }),
          },
          {
            label: 'Extend its life',
            icon: <Hourglass />,
            isDisabled: mayPatch === false,
            onSelect: () => setAsks('extend'),
          },
          {
            label: isSuspended ? 'Start again' : 'Suspend',
            icon: isSuspended ? <Play /> : <Pause />,
            isDisabled: mayPatch === false,
            onSelect: () => void toggle(),
          },
          {
            label: 'Destroy',
            icon: <Trash2 />,
            isDangerous: true,
            isDisabled: mayDelete === false || Boolean(environment.metadata.deletionTimestamp),
            onSelect: () => setAsks('destroy'),
          },
        ]}
      />
      {asks === 'extend' && <ExtendDialog environment={environment} onClose={() => setAsks(undefined)} />}
      {asks === 'destroy' && <DestroyDialog environment={environment} onClose={() => setAsks(undefined)} />}
    </>
  );
}
