import { problemOf, RequestFailed } from './problem';

/** Who wants to know that the session is over: set by the session's room. */
let onSignedOut: () => void = () => {};

/** Says whom to tell when the server no longer knows who we are. */
export function whenSignedOut(tell: () => void): void {
  onSignedOut = tell;
}

export interface Options {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Text is sent as it is, anything else as JSON. */
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

/** Sends a request and gives the answer, whose body has not been read. */
export async function open(path: string, options: Options = {}): Promise<Response> {
  const { method = 'GET', body, contentType = 'application/json', signal, headers } = options;
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestFailed(problemOf(0, ''));
  }
  if (!answer.ok) {
    const problem = problemOf(answer.status, await answer.text().catch(() => ''));
    if (problem.kind === 'signed-out') onSignedOut();
    throw new RequestFailed(problem);
  }
  return answer;
}

/** Sends a request and reads the answer as JSON. */
export async function request<T>(path: string, options?: Options): Promise<T> {
  const answer = await open(path, options);
  return (await answer.json()) as T;
}
