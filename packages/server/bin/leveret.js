#!/usr/bin/env node
// Made of dist/main.js and all it imports: one file starts in half the time of two hundred.
import '../dist/leveret.js';
