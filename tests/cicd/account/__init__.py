"""The account that is not there: moto's server, with what CloudFormation does and moto leaves out.

`python -m tests.cicd.account PORT FILE` serves it on loopback. Moto knows stacks that are created at once; the scripts
work with change sets, and the stages with exports. So this adds to moto, and takes nothing away:

- change sets of new stacks resolve imports, register exports, and fail with events and a roll-back (`stacks.py`);
- parameters are held to their allowed values, patterns, and limits (`parameters.py`);
- an export that is imported keeps its stack from being deleted, and `list-imports` says by whom;
- `Fn::Cidr`, attributes of attributes, and `AWS::NoValue` in lists (`functions.py`);
- resources of types that moto cannot make are stood in for: they have a name, an ARN and attributes, and no behaviour.
  Secrets are the exception: they are made in moto's Secrets Manager. Types are written to FILE (`stand_ins.py`).
"""
