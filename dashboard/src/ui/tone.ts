/** What a state means to whoever looks. */
export type Tone = 'healthy' | 'info' | 'warning' | 'danger' | 'idle';

export const toneText: Record<Tone, string> = {
  healthy: 'text-healthy',
  info: 'text-info',
  warning: 'text-warning',
  danger: 'text-danger',
  idle: 'text-idle',
};

export const toneTint: Record<Tone, string> = {
  healthy: 'bg-healthy-tint text-healthy',
  info: 'bg-info-tint text-info',
  warning: 'bg-warning-tint text-warning',
  danger: 'bg-danger-tint text-danger',
  idle: 'bg-idle-tint text-idle',
};

export const toneDot: Record<Tone, string> = {
  healthy: 'bg-healthy-dot',
  info: 'bg-info-dot',
  warning: 'bg-warning-dot',
  danger: 'bg-danger-dot',
  idle: 'bg-idle-dot',
};
