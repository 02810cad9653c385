import { useKinds } from '~/api/discovery';
import { Blocks, CircleGauge, FolderGit2, GitPullRequest, LayoutDashboard, Settings, SquarePlus, type LucideIcon } from 'lucide-react';

export interface Room {
  to: '/' | '/new' | '/templates' | '/previews' | '/git' | '/activity' | '/settings';
  label: string;
  icon: LucideIcon;
  /** The plural without which the room has nothing to show. */
  needs?: string;
}

const all: readonly Room[] = [
  { to: '/', label: 'Environments', icon: LayoutDashboard, needs: 'environments' },
  { to: '/new', label: 'New', icon: SquarePlus, needs: 'environments' },
  { to: '/templates', label: 'Templates', icon: Blocks, needs: 'environmenttemplates' },
  { to: '/previews', label: 'Previews', icon: GitPullRequest, needs: 'previewpolicies' },
  { to: '/git', label: 'Git', icon: FolderGit2, needs: 'gitsyncs' },
  { to: '/activity', label: 'Activity', icon: CircleGauge },
  { to: '/settings', label: 'Settings', icon: Settings },
];

/** Kinds that no server is without. */
const usual: ReadonlySet<string> = new Set(['environments', 'environmenttemplates']);

/** The rooms that this server has something for, in the order in which they are shown. */
export function useRooms(): readonly Room[] {
  const kinds = useKinds();
  // What every server has is there at once, the rest when it is known to be served.
  return all.filter((room) => !room.needs || (kinds ?? usual).has(room.needs));
}
