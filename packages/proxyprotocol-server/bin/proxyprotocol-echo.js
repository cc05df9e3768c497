#!/usr/bin/env node
import process from 'node:process'
import { runEcho } from '../dist/cli/index.js'

process.exitCode = await runEcho(process.argv.slice(2))
