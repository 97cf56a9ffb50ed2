"""The ledger of sign-offs: needs the standard library and ``cryptography``, and no other room.

Everything here is synchronous and none of it knows the pipeline: ``canonical`` and ``evidence``
make digests, ``chain`` entries, ``keys`` signatures, ``store`` and ``export`` keep and carry them,
``verify`` says in words what is wrong with them.
"""
