"""The local Cloud Run: the WeChat platform on loopback, so that Yunliao can be run, tried and tested without WeChat.

`python -m cloudrun --help` starts it from a terminal; `cloudrun.local.LocalCloudRun` starts it from a test.
"""
