import type { PreviewPolicy } from '~/api/kinds';
import type { Tone } from '~/ui/tone';

export type Preview = NonNullable<NonNullable<PreviewPolicy['status']>['previews']>[number];

/** What a preview's state means. */
export function previewTone(state: Preview['state']): Tone {
  switch (state) {
    case 'Ready':
      return 'healthy';
    case 'Deploying':
    case 'Queued':
    case 'Pending':
      return 'info';
    case 'Failed':
    case 'Invalid':
    case 'Conflict':
      return 'danger';
    default:
      return 'idle';
  }
}

export function policyTone(phase: string): Tone {
  switch (phase) {
    case 'Ready':
      return 'healthy';
    case 'Pending':
    case 'Progressing':
      return 'info';
    case 'Waiting':
      return 'warning';
    case 'Degraded':
    case 'Failed':
      return 'danger';
    default:
      return 'idle';
  }
}

const hidden: readonly Preview['state'][] = ['Ignored', 'Closed'];

/** Those that are worth a line: the queue by place and then the newest first. Pure. */
export function shownPreviews(previews: readonly Preview[]): Preview[] {
  return previews
    .filter((preview) => !hidden.includes(preview.state))
    .sort((one, other) => (one.place ?? 0) - (other.place ?? 0) || other.number - one.number);
}
