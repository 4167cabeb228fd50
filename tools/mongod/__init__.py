"""A local MongoDB replica set for trials and tests: never for serving people, it has no users and no backup."""

from mongod.binary import BinaryMissing, find_binary
from mongod.replica_set import Member, ReplicaSet, StartFailed

__all__ = ["BinaryMissing", "Member", "ReplicaSet", "StartFailed", "find_binary"]
