import type { Origin } from '~/api/effective';
import type { Tone } from '~/ui/tone';

/** Where a value comes from, in words. Pure. */
export function originWords(origin: Origin): { word: string; tone: Tone } {
  switch (origin.layer) {
    case 'environment':
      return { word: 'here', tone: 'healthy' };
    case 'templateType':
      return { word: `template, ${origin.type}`, tone: 'info' };
    case 'templateBase':
      return { word: 'template, base', tone: 'idle' };
    case 'inherited':
      return { word: `from ${origin.from}`, tone: 'idle' };
    case 'engine':
      return { word: `of ${origin.engine}`, tone: 'idle' };
    case 'default':
      return { word: 'Mirage’s default', tone: 'idle' };
  }
}
