import { useEffect, useRef } from 'react';
import type { Environment } from '~/api/kinds';
import { useEnvironments } from '~/environments/useEnvironments';
import { toast } from '~/ui/toast';
import { announcements } from './announcements';

/** Tells of changes of state, whatever room one is in. */
export function Announcer() {
  const { objects, isWhole } = useEnvironments();
  const known = useRef<ReadonlyMap<string, Environment>>(undefined);
  useEffect(() => {
    if (!isWhole) return;
    if (known.current) {
      for (const { tone, title, text } of announcements(known.current, objects)) toast(tone, title, text);
    }
    known.current = objects;
  }, [objects, isWhole]);
  return null;
}
