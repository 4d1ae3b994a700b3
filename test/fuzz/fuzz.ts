import { parseArgs } from 'node:util';
import { fuzzInputs } from './inputs.js';
const { values } = parseArgs({ options: { inputs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } });
console.log(await fuzzInputs(Number(values.inputs), Number(values.seed)));
