//! The Step Functions API to histories, through the AWS SDK. The only module that opens a socket outward.
