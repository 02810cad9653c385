import { useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { EnvironmentRoom } from './room';

export function EnvironmentRoute() {
  const { namespace, name } = useParams({ from: '/environments/$namespace/$name' });
  const { tab = 'overview' } = useSearch({ from: '/environments/$namespace/$name' });
  const place = useMemo(() => ({ namespace, name }), [namespace, name]);
  // Another environment is another room: nothing of the last one is carried over.
  return <EnvironmentRoom key={`${namespace}/${name}`} place={place} tab={tab} />;
}
