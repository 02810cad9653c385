import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

/** How often Mirage is asked for what is on screen. It asks Railway once a minute at most, however many look. */
export const LOOK_MS = 15_000;

/** Asks for all of it now. */
export function useLookAgain(): () => void {
  const queries = useQueryClient();
  return useCallback(() => void queries.invalidateQueries({ queryKey: ['railway'] }), [queries]);
}
