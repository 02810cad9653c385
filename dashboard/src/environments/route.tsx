import { useSearch } from '@tanstack/react-router';
import { EnvironmentsRoom } from './room';

export function EnvironmentsRoute() {
  return <EnvironmentsRoom search={useSearch({ from: '/' })} />;
}
