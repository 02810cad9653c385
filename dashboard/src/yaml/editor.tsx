import { autocompletion, closeBrackets, completionKeymap, type CompletionSource } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, linter, type Diagnostic, forceLinting } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { check } from './check';
import { optionsAt, placeAt } from './complete';
import type { Fault } from './fault';
import type { Schema } from './schema';

interface Props {
  label: string;
  value: string;
  onChange?: (text: string) => void;
  schema?: Schema | undefined;
  /** What the server found wrong with this text. */
  faults?: readonly Fault[];
  height?: string;
}

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13px', backgroundColor: 'transparent', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono, monospace)', lineHeight: '1.65' },
  '.cm-content': { fontFamily: "'Geist Mono Variable', ui-monospace, monospace", caretColor: 'var(--primary)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--ink-faint)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'var(--inset)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--inset)' },
  '.cm-cursor': { borderLeftColor: 'var(--primary)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--primary-tint)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--panel-solid)',
    color: 'var(--ink)',
    border: '1px solid var(--line-strong)',
    borderRadius: '10px',
    boxShadow: 'var(--shadow-high)',
    overflow: 'hidden',
  },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--primary)', color: 'var(--primary-ink)' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.75' },
  '.cm-completionInfo': { maxWidth: '22rem', padding: '8px 10px' },
  '.cm-diagnostic': { padding: '6px 10px' },
});

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
    { tag: [tags.string, tags.content], color: 'var(--ink)' },
    { tag: [tags.number, tags.bool, tags.null], color: 'var(--primary)' },
    { tag: tags.comment, color: 'var(--ink-faint)', fontStyle: 'italic' },
    { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: 'var(--ink-soft)' },
    { tag: tags.keyword, color: 'var(--warning)' },
  ]),
);

function completion(schema: () => Schema | undefined): CompletionSource {
  return (context) => {
    const known = schema();
    if (!known) return null;
    const place = placeAt(context.state.doc.toString(), context.pos);
    if (!context.explicit && place.word === '' && place.key === undefined) return null;
    const options = optionsAt(place, known);
    if (options.length === 0) return null;
    return {
      from: context.pos - place.word.length,
      options: options.map(({ label, insert, detail, info }) => ({
        label,
        type: place.key === undefined ? 'property' : 'enum',
        ...(insert ? { apply: insert } : {}),
        ...(detail ? { detail } : {}),
        ...(info ? { info } : {}),
      })),
      validFor: /^[\w./-]*$/,
    };
  };
}

/** An editor for YAML that knows what may stand where. */
export function YamlEditor({ label, value, onChange, schema, faults = [], height = '28rem' }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  // The editor outlives renders and reads what is newest from here.
  const newest = useRef({ schema, faults, onChange });
  newest.current = { schema, faults, onChange };
  const isReadOnly = onChange === undefined;

  useEffect(() => {
    if (!holder.current) return;
    const access = new Compartment();
    const editor = new EditorView({
      parent: holder.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          bracketMatching(),
          closeBrackets(),
          indentUnit.of('  '),
          yaml(),
          look,
          colours,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label }),
          access.of([EditorState.readOnly.of(isReadOnly), EditorView.editable.of(!isReadOnly)]),
          autocompletion({ override: [completion(() => newest.current.schema)] }),
          ...(isReadOnly
            ? []
            : [
                lintGutter(),
                linter(
                  ({ state }): Diagnostic[] => {
                    const text = state.doc.toString();
                    const own = newest.current.schema ? check(text, newest.current.schema) : [];
                    return [...own, ...newest.current.faults].map((fault) => ({
                      from: Math.min(fault.from, text.length),
                      to: Math.min(fault.to, text.length),
                      severity: 'error' as const,
                      message: fault.message,
                    }));
                  },
                  { delay: 250 },
                ),
              ]),
          // Escape leaves the editor for whoever goes by keyboard; Tab indents within.
          keymap.of([
            { key: 'Escape', run: ({ contentDOM }) => (contentDOM.blur(), true) },
            ...completionKeymap,
            ...defaultKeymap,
            ...historyKeymap,
            ...searchKeymap,
            indentWithTab,
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) newest.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
    // The text goes in once here, and by the effect below from then on.
  }, [label, isReadOnly]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    if (view.current && !isReadOnly) forceLinting(view.current);
  }, [faults, schema, isReadOnly]);

  return <div ref={holder} style={{ height }} className="overflow-hidden rounded-xl border border-line-strong bg-panel-raised" />;
}
