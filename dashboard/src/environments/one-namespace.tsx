import { useState, type FormEvent } from 'react';
import { lookAt, useScope } from '~/session/scope';
import { Button } from '~/ui/button';

/** For whoever has rights in some namespaces only: they cannot list all, but each of theirs. */
export function OneNamespace() {
  const scope = useScope();
  const [name, setName] = useState(scope ?? '');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    lookAt(name.trim() || undefined);
  };
  return (
    <form onSubmit={submit} className="flex flex-wrap gap-2">
      <input
        aria-label="Namespace"
        placeholder="a namespace of yours"
        className="field w-52"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Button type="submit">Look at this one</Button>
    </form>
  );
}
