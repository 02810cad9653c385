import '@fontsource-variable/geist/wght.css';
import '@fontsource-variable/geist-mono/wght.css';
import './theme/theme.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RequestFailed } from './api/problem';
import { pauseWhileHidden } from './live/useLive';
import { router } from './router';
import { signInByLink } from './session/session';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      // Only what may be otherwise next time is asked again.
      retry: (failures, error) =>
        failures < 2 && error instanceof RequestFailed && ['unreachable', 'busy'].includes(error.problem.kind),
    },
  },
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

// After an upgrade of the server the files of the old page are gone; the new one has its own.
window.addEventListener('vite:preloadError', () => location.reload());

await signInByLink();
pauseWhileHidden();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
