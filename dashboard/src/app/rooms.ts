import { useMay } from '~/api/access';
import { useKinds } from '~/api/discovery';
import { railwayProjects } from '~/api/resource';
import { useScope } from '~/session/scope';
import {
  Blocks,
  CircleGauge,
  FolderGit2,
  GitPullRequest,
  LayoutDashboard,
  Settings,
  SquarePlus,
  TrainTrack,
  type LucideIcon,
} from 'lucide-react';

export interface Room {
  to: '/' | '/new' | '/railway' | '/templates' | '/previews' | '/git' | '/activity' | '/settings';
  label: string;
  icon: LucideIcon;
  /** The plural without which the room has nothing to show. */
  needs?: string;
}

const all: readonly Room[] = [
  { to: '/', label: 'Environments', icon: LayoutDashboard, needs: 'environments' },
  { to: '/new', label: 'New', icon: SquarePlus, needs: 'environments' },
  { to: '/railway', label: 'Railway', icon: TrainTrack },
  { to: '/templates', label: 'Templates', icon: Blocks, needs: 'environmenttemplates' },
  { to: '/previews', label: 'Previews', icon: GitPullRequest, needs: 'previewpolicies' },
  { to: '/git', label: 'Git', icon: FolderGit2, needs: 'gitsyncs' },
  { to: '/activity', label: 'Activity', icon: CircleGauge },
  { to: '/settings', label: 'Settings', icon: Settings },
];

/** Kinds that no server is without. */
const usual: ReadonlySet<string> = new Set(['environments', 'environmenttemplates']);

/** The rooms that this server has something for and that we may enter, in the order in which they are shown. */
export function useRooms(): readonly Room[] {
  const kinds = useKinds();
  const mayBrowse = useMay('list', railwayProjects, useScope() ?? 'default');
  // What every server has is there at once, the rest when it is known to be served.
  return all.filter(({ to, needs }) => (to === '/railway' ? mayBrowse === true : !needs || (kinds ?? usual).has(needs)));
}
