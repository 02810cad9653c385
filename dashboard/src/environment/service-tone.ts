import type { ServiceStatus } from '~/api/kinds';
import type { Tone } from '~/ui/tone';

/** What a service's state means. */
export function serviceTone(state: ServiceStatus['state'] | undefined): { tone: Tone; isMoving: boolean } {
  switch (state) {
    case 'Ready':
      return { tone: 'healthy', isMoving: false };
    case 'Deploying':
      return { tone: 'info', isMoving: true };
    case 'Sleeping':
      return { tone: 'info', isMoving: false };
    case 'Blocked':
      return { tone: 'warning', isMoving: false };
    case 'Failed':
      return { tone: 'danger', isMoving: false };
    default:
      return { tone: 'idle', isMoving: false };
  }
}
