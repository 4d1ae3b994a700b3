import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable, FieldValue } from '@leveret/amqp';
import fc from 'fast-check';
import { Refusal } from '../refusal.js';
import { HeadersRouter } from './headers.js';
import { type Addressed, type BindingTerms, routerContract } from './router.contract.js';

/** Values by class of type: two of one class are equal if what stands before the colon is. */
const VALUES: Readonly<Record<string, readonly FieldValue[]>> = {
  'number 1': [
    { type: 'b', value: 1 },
    { type: 's', value: 1 },
    { type: 'I', value: 1 },
    { type: 'l', value: 1n },
  ],
  'number 2': [
    { type: 'I', value: 2 },
    { type: 'l', value: 2n },
  ],
  'float 1': [
    { type: 'f', value: 1 },
    { type: 'd', value: 1 },
  ],
  'text 1': [{ type: 'S', value: '1' }],
  'text x': [
    { type: 'S', value: 'x' },
    { type: 'x', value: Buffer.from('x') },
    { type: 'x', value: Buffer.from('x') },
  ],
  true: [{ type: 't', value: true }],
  'array of 1': [
    { type: 'A', value: [{ type: 'I', value: 1 }] },
    { type: 'A', value: [{ type: 'I', value: 1 }] },
  ],
  'array of 2': [{ type: 'A', value: [{ type: 'I', value: 2 }] }],
  void: [{ type: 'V', value: null }],
};

const CLASS_OF: ReadonlyMap<FieldValue, string> = new Map(
  Object.entries(VALUES).flatMap(([name, values]) => values.map((value) => [value, name])),
);

const value = fc.constantFrom(...Object.values(VALUES).flat());
const name: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'x-a', 'x-b');
const table = fc.array(fc.tuple(name, value), { maxLength: 3 });
const match = fc.constantFrom(undefined, 'all', 'any', 'all-with-x', 'any-with-x');

function matches({ arguments: args }: BindingTerms, { headers }: Addressed): boolean {
  const argument = args.get('x-match')?.value ?? 'all';
  const withX = argument === 'all-with-x' || argument === 'any-with-x';
  const wanted = [...args].filter(([key]) => key !== 'x-match' && (withX || !key.startsWith('x-')));
  const met = wanted.filter(([key, each]) => {
    const header = headers.get(key);
    if (header === undefined) return false;
    return each.type === 'V' || CLASS_OF.get(each) === CLASS_OF.get(header);
  });
  if (argument === 'any' || argument === 'any-with-x') return met.length > 0;
  return met.length === wanted.length;
}

routerContract('headers', {
  newRouter: () => new HeadersRouter(),
  bindings: fc.tuple(table, match).map(([entries, each]) => {
    const args = new Map(entries);
    if (each !== undefined) args.set('x-match', { type: 'S', value: each });
    return { routingKey: '', arguments: args };
  }),
  messages: table.map((entries) => ({ routingKey: '', headers: new Map(entries) })),
  matches,
  byRoutingKey: false,
});

test('x-match is one of four words, or refused as RabbitMQ does', () => {
  const router = new HeadersRouter();
  const xMatch = (field: FieldValue): FieldTable => new Map([['x-match', field]]);
  for (const word of ['all', 'any', 'all-with-x', 'any-with-x']) {
    router.check(xMatch({ type: 'S', value: word }));
  }
  router.check(new Map());
  const refusals: [FieldValue, string][] = [
    [
      { type: 'S', value: 'some' },
      'Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x',
    ],
    [
      { type: 'S', value: '' },
      'Invalid x-match field value <<>>; expected all, any, all-with-x, or any-with-x',
    ],
    [{ type: 'I', value: 1 }, 'Invalid x-match field type signedint (value 1); expected longstr'],
  ];
  for (const [field, text] of refusals) {
    assert.throws(
      () => router.check(xMatch(field)),
      (error) =>
        error instanceof Refusal &&
        error.reason === 'precondition-failed' &&
        error.message === text,
    );
  }
});
